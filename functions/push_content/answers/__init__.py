"""What Zendesk said."""
