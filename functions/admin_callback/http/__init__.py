"""HTTP in and out: forms, event bodies, pages, the manifest."""
