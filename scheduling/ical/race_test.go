//go:build race

package ical_test

// raced says that the race detector slows everything down and fills the memory: nothing can be measured.
const raced = true
