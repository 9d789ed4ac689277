// What each daemon may do: the one table that docs/security.md shows and the locks are built from (issue 5, item 8;
// decision 14). Plain data.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace holdfast::sandbox {

// Folders of an installation (config::Paths), by what lies in them.
enum class Place {
  kSpool,      // paths.spool, all below it
  kSegments,   // paths.spool/segments
  kIndex,      // paths.spool/index
  kRescan,     // paths.spool/rescan
  kDirectory,  // paths.state/directory
  kAlerts,     // paths.state/alerts
  kWeb,        // paths.state/web
  kHistory,    // paths.state/history
  kGreylist,   // paths.state/greylist
  kToken,      // the file paths.state/token
  kRun,        // paths.run
  kLocks,      // paths.run/locks
  kFilter,     // paths.run/filter
  kLog,        // paths.log
};

enum class Access {
  kRead,
  kReadDatabase,  // LMDB's readers note themselves in its lock file; nothing else can be written
  kWrite,         // read, write, make, rename and remove
  kListen,        // read, and make and remove sockets
  kLock,          // make and lock files
  kAppend,        // make and write files, not read
  kExtend,        // make and write files, and read them
};

struct FolderRight {
  Place place;
  Access access;
};

struct Rights {
  std::string_view daemon;
  std::span<const FolderRight> folders;
  bool network;        // sockets of IPv4 and IPv6, and what finding names and checking certificates reads in /etc
  bool handed_files;   // gets certificates, keys and passwords from master
  bool alone = false;  // connects to nobody, not even to our own daemons
};

// One row a daemon, in the order of their start.
std::span<const Rights> all_rights();
// nullptr: no daemon of that name.
const Rights* rights_of(std::string_view daemon);

// "spool/segments", "state/token".
std::string_view to_text(Place place);
std::string_view to_text(Access access);
// The rows as docs/security.md shows them, with a header.
std::string rights_table();

}  // namespace holdfast::sandbox
