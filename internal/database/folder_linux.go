package database

import "golang.org/x/sys/unix"

// shares are the file systems of statfs(2) whose locks and writes SQLite cannot rely on.
var shares = map[int64]string{
	unix.NFS_SUPER_MAGIC: "NFS", unix.SMB_SUPER_MAGIC: "SMB", unix.CIFS_SUPER_MAGIC: "CIFS", unix.SMB2_SUPER_MAGIC: "SMB2",
	unix.AFS_FS_MAGIC: "AFS", unix.CODA_SUPER_MAGIC: "Coda", unix.NCP_SUPER_MAGIC: "NCP", unix.V9FS_MAGIC: "9P", unix.CEPH_SUPER_MAGIC: "Ceph",
}

func networkShare(path string) (kind string, err error) {
	var info unix.Statfs_t
	if err := unix.Statfs(path, &info); err != nil {
		return "", err
	}
	return shares[int64(info.Type)&0xffffffff], nil
}

// freeBytes is what this user may still write on the disk of a path.
func freeBytes(path string) (uint64, error) {
	var info unix.Statfs_t
	if err := unix.Statfs(path, &info); err != nil {
		return 0, err
	}
	return info.Bavail * uint64(info.Bsize), nil
}
