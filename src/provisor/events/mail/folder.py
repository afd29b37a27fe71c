"""Last step of the flow: without a mail server, messages become files that any mail program opens."""

from __future__ import annotations

import asyncio
from pathlib import Path

from provisor.errors import InvalidInput, Unavailable
from provisor.events.mail.message import mail_of
from provisor.events.mail.model import MailRefused, Message, State

FOLDER = "outbox"


class FolderMailer:
    """Writes ``DIR/outbox/ID.eml``, readable by this user only."""

    leaves: State = "folder"

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    async def send(self, message: Message) -> None:
        """Raises ``MailRefused`` of what cannot be a mail, ``Unavailable`` when the file cannot be written."""
        try:
            content = mail_of(message, self._sender).as_bytes()
        except InvalidInput as error:
            raise MailRefused(error.message) from error
        await asyncio.to_thread(self._write, message.id, content)

    def _write(self, name: str, content: bytes) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = self._folder / f".{name}.tmp"
            draft.touch(mode=0o600)
            draft.write_bytes(content)
            draft.replace(self._folder / f"{name}.eml")
        except OSError as error:
            raise Unavailable(f"{self._folder} cannot be written: {error.strerror}.") from error
