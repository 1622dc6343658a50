package consents

// Strip is strip, for the tests.
var Strip = strip
