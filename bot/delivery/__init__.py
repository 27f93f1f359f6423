"""The ledger: the durable record of deliveries and batches, and the worker that sends them."""
