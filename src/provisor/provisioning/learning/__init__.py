"""What a target refuses although its capability profile says that it takes it."""
