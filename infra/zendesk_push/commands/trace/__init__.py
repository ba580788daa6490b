"""One message on its way."""
