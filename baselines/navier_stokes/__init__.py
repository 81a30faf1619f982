"""The Navier-Stokes baseline."""
