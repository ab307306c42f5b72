"""What the library keeps: the catalogue in its database, and files beside it."""
