"""The store's migrations, oldest first, one file a revision; `skystamp.store.migrations` runs them."""
