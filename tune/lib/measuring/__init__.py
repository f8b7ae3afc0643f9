"""measure, report, profile, trace: what the steps gain, and where the time goes."""
