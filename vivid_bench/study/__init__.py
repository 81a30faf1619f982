"""User studies: blinded packets -> answers -> preferences."""
