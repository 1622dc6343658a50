//go:build !crashpoints

// Package crash lets tests kill the process at a named point. Without the build tag crashpoints it is nothing.
package crash

// Point is where a test may end the process.
func Point(string) {}
