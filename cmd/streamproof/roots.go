package main

// The certificate authorities that Mozilla trusts, for where the system has none: the
// container image is our binary alone, and a fleet's pods run it.
import _ "golang.org/x/crypto/x509roots/fallback"
