#include "common/sandbox/landlock.h"

#include <cerrno>

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/sandbox/sandbox.h"

namespace holdfast::sandbox {
namespace {

// Younger than the headers of Debian 12.
constexpr std::uint64_t kTruncate = 1ULL << 14;       // version 3
constexpr std::uint64_t kIoctlDevice = 1ULL << 15;    // version 5
constexpr std::uint64_t kBindTcp = 1ULL << 0, kConnectTcp = 1ULL << 1;              // version 4
constexpr std::uint64_t kScopeAbstractSockets = 1ULL << 0, kScopeSignals = 1ULL << 1;  // version 6

struct RulesetAttributes {  // landlock_ruleset_attr of version 6; older kernels take its beginning
  std::uint64_t files = 0, network = 0, scoped = 0;
};

constexpr std::uint64_t kReadFiles = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kWriteFile = LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate;
constexpr std::uint64_t kAllOfFolders = kReadFiles | kWriteFile | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                        LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                        LANDLOCK_ACCESS_FS_REFER;
constexpr std::uint64_t kMakeSockets = kReadFiles | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE;
// What a rule of a file, not a folder, may say.
constexpr std::uint64_t kOfFiles =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate | kIoctlDevice;

// All that the kernel knows: what is not opened is closed.
std::uint64_t files_handled(int version) {
  std::uint64_t out = (1ULL << 14) - 1;  // version 2
  if (version >= 3) out |= kTruncate;
  if (version >= 5) out |= kIoctlDevice;
  return out;
}

std::size_t size_of_attributes(int version) { return version < 4 ? 8 : version < 6 ? 16 : 24; }

base::Result<base::UniqueFd> make_ruleset(const Rights& rights, int version) {
  RulesetAttributes attributes{.files = files_handled(version)};
  if (version >= 4) attributes.network = kBindTcp | (rights.network ? 0 : kConnectTcp);
  if (version >= 6) attributes.scoped = kScopeAbstractSockets | kScopeSignals;
  base::UniqueFd out(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, size_of_attributes(version), 0)));
  if (!out) return base::fail_errno("Landlock's rules", errno);
  return out;
}

base::Status add(int ruleset, const Opening& opening, int version) {
  const base::UniqueFd fd(::open(opening.path.c_str(), O_PATH | O_CLOEXEC));
  if (!fd) return {};
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return base::fail_errno(opening.path, errno);
  landlock_path_beneath_attr rule{};
  rule.parent_fd = fd.get();
  rule.allowed_access = opening.access & files_handled(version) & (S_ISDIR(info.st_mode) ? ~0ULL : kOfFiles);
  if (rule.allowed_access == 0) return {};
  if (::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0) return {};
  return base::fail_errno("Landlock's rule for " + opening.path, errno);
}

std::string path_of(Place place, const Folders& folders) {
  switch (place) {
    case Place::kSpool: return folders.spool;
    case Place::kSegments: return folders.spool + "/segments";
    case Place::kIndex: return folders.spool + "/index";
    case Place::kRescan: return folders.spool + "/rescan";
    case Place::kDirectory: return folders.state + "/directory";
    case Place::kAlerts: return folders.state + "/alerts";
    case Place::kWeb: return folders.state + "/web";
    case Place::kHistory: return folders.state + "/history";
    case Place::kGreylist: return folders.state + "/greylist";
    case Place::kToken: return folders.state + "/token";
    case Place::kRun: return folders.run;
    case Place::kLocks: return folders.run + "/locks";
    case Place::kFilter: return folders.run + "/filter";
    case Place::kLog: return folders.log;
  }
  return {};
}

}  // namespace

int landlock_version() {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version < 0 ? 0 : static_cast<int>(version);
}

std::vector<Opening> openings(Place place, Access access, const Folders& folders) {
  const std::string path = path_of(place, folders);
  switch (access) {
    case Access::kRead: return {{path, kReadFiles}};
    case Access::kReadDatabase: return {{path, kReadFiles}, {path + "/lock.mdb", kReadFiles | kWriteFile}};
    case Access::kWrite: return {{path, kAllOfFolders}};
    case Access::kListen: return {{path, kMakeSockets}};
    case Access::kExtend:
    case Access::kLock: return {{path, kReadFiles | kWriteFile | LANDLOCK_ACCESS_FS_MAKE_REG}};
    case Access::kAppend: return {{path, kWriteFile | LANDLOCK_ACCESS_FS_MAKE_REG}};
  }
  return {};
}

std::vector<Opening> system_openings(const Rights& rights, bool root) {
  std::vector<Opening> out;
  // Libraries that are loaded late, time zones, CA certificates; nothing there is secret.
  for (const char* path : {"/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/proc/self", "/dev/null", "/dev/urandom",
                           "/proc/sys/vm/overcommit_memory", "/sys/devices/system/cpu"}) {
    out.push_back({path, kReadFiles});
  }
  out.push_back({"/dev/null", kWriteFile});
  if (!rights.network) return out;
  // Whole folders, since an editor or resolvconf puts another file in the place of the old one. Root's uid could read
  // secrets in /etc: it gets these files as they are now.
  for (const char* path : {"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf",
                           "/etc/services", "/etc/protocols", "/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/run/systemd/resolve",
                           "/run/resolvconf", "/run/NetworkManager/resolv.conf"}) {
    out.push_back({path, kReadFiles});
  }
  if (!root) out.push_back({"/etc", kReadFiles});
  return out;
}

base::Status close_file_system(const std::vector<Opening>& open, const Rights& rights, int version) {
  auto ruleset = make_ruleset(rights, version);
  if (!ruleset) return std::unexpected(ruleset.error());
  for (const auto& opening : open) {
    if (auto added = add(ruleset->get(), opening, version); !added) return added;
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return base::fail_errno("no_new_privs", errno);
  if (::syscall(SYS_landlock_restrict_self, ruleset->get(), 0) != 0) return base::fail_errno("Landlock", errno);
  return {};
}

}  // namespace holdfast::sandbox
