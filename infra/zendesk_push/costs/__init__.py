"""What a stack costs a month, from its traffic: prices, the model, and the tables in docs/deployment.md."""
