"""From `sam build` to what is uploaded: finished artifacts, and deployments that publish what changed."""
