"""The labs: the steps on a machine that has nothing to spare for them."""
