"""Reading what others have signed: JSON Web Keys and compact JSON Web Signatures, pure, without I/O.

Making keys and signing belong to `dextwist.signing`; what a token must say is for whoever reads it.
"""
