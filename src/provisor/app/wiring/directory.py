"""Start-up: the directory."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from provisor.app.wiring.shared import Shared

if TYPE_CHECKING:
    from provisor.directory.extensions.service import Extensions
    from provisor.directory.links.service import Links as DirectoryLinks
    from provisor.directory.listing.service import Listing
    from provisor.directory.searching.service import Search
    from provisor.directory.service import Directory
    from provisor.directory.tracking.service import Tracking


class DirectoryServices(Shared):
    """What makes the directory."""

    @cached_property
    def directory(self) -> Directory:
        from provisor.directory.service import Directory
        from provisor.directory.store import DirectoryStore
        from provisor.signin.roles.store import RoleStore

        return Directory(DirectoryStore(self.database), self.clock, RoleStore(self.database).holders)

    @cached_property
    def listing(self) -> Listing:
        from provisor.directory.listing.service import Listing
        from provisor.directory.listing.store import ListingStore

        return Listing(ListingStore(self.database))

    @cached_property
    def search(self) -> Search:
        from provisor.directory.searching.service import Search
        from provisor.directory.searching.store import SearchStore
        from provisor.directory.store import DirectoryStore

        return Search(SearchStore(DirectoryStore(self.database)))

    @cached_property
    def directory_links(self) -> DirectoryLinks:
        from provisor.directory.links.service import Links
        from provisor.directory.store import DirectoryStore

        return Links(DirectoryStore(self.database), self.clock)

    @cached_property
    def tracking(self) -> Tracking:
        from provisor.directory.store import DirectoryStore
        from provisor.directory.tracking.service import Tracking

        return Tracking(DirectoryStore(self.database))

    @cached_property
    def extensions(self) -> Extensions:
        from provisor.directory.extensions.service import Extensions
        from provisor.directory.extensions.store import ExtensionStore

        return Extensions(ExtensionStore(self.database), self.clock)
