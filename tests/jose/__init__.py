"""Tests of `dextwist.jose`."""
