"""Images as numpy arrays, without torch: what screens show, and what data sets are made of."""
