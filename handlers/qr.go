package handlers

import (
	"fmt"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// qrCode is a QR code to be drawn: one path of unit squares within a square of Side units, quiet zone included.
type qrCode struct {
	Side int
	Path string
}

// quietZone is the clear space around the code, in modules (ISO/IEC 18004 §6.3.8).
const quietZone = 4

// drawQR draws a text that a telephone reads. Each run of dark modules is one rectangle.
func drawQR(text string) (qrCode, error) {
	code, err := qr.Encode(text, qr.M, qr.Unicode)
	if err != nil {
		return qrCode{}, fmt.Errorf("draw QR code: %w", err)
	}
	side := code.Bounds().Dx()
	dark := func(x, y int) bool {
		level, _, _, _ := code.At(x, y).RGBA()
		return level == 0
	}
	var path strings.Builder
	for y := range side {
		for x := 0; x < side; {
			run := 0
			for x+run < side && dark(x+run, y) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", x+quietZone, y+quietZone, run, run)
			}
			x += run + 1
		}
	}
	return qrCode{side + 2*quietZone, path.String()}, nil
}
