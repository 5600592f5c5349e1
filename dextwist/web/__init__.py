"""HTTP: one file an endpoint group, and what they share.

`site` is the map of URLs; `http` the frozen request and response that every endpoint takes and gives;
`pages` renders templates, `assets` serves files, `errors` turns refusals into answers. Nothing here decides
about logins or tokens: that is `dextwist.login` and `dextwist.grants`.
"""
