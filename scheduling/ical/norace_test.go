//go:build !race

package ical_test

const raced = false
