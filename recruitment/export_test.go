package recruitment

// ReadRather sets from how many persons on a list is walked along rather than read.
func ReadRather(most int64) { readRather = most }
