"""Messages from files to the content queue."""
