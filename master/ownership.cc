#include "master/ownership.h"

#include <cerrno>
#include <filesystem>

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/ownership.h"
#include "common/ipc/locks.h"

namespace holdfast::master {
namespace {

constexpr mode_t kOwners = 0750, kRoots = 02750, kShared = 03770;

base::Status set_mode(const std::string& folder, mode_t mode) {
  struct stat info {};
  if (::stat(folder.c_str(), &info) == 0 && (info.st_mode & 07777) == mode) return {};
  if (::chmod(folder.c_str(), mode) != 0) return base::fail_errno("chmod " + folder, errno);
  return {};
}

base::Status settle(const std::string& folder, uid_t uid, gid_t gid, mode_t mode) {
  if (auto given = base::give(folder, uid, gid); !given) return given;
  return set_mode(folder, mode);
}

// The folder above all others: they must come through it.
base::Status open_way(const std::string& base_folder, gid_t gid) {
  struct stat info {};
  if (base_folder.empty() || ::stat(base_folder.c_str(), &info) != 0 || (info.st_mode & S_IXOTH) != 0) return {};
  if (auto given = base::give(base_folder, info.st_uid, gid); !given) return given;
  return set_mode(base_folder, (info.st_mode & 07777) | S_IRGRP | S_IXGRP);
}

// All but master's own.
base::Status give_logs(const std::string& folder, const sandbox::Identity& to) {
  std::error_code ec;
  for (std::filesystem::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with("master.log")) continue;
    if (auto given = base::give(it->path().string(), to.uid, to.gid); !given) return given;
  }
  return {};
}

// Left behind by who is gone; in a sticky folder the next one could not remove them.
void remove_sockets(const std::string& run) {
  for (const char* name : {"/qmgr.sock", "/prober.sock", "/alertd.sock"}) ::unlink((run + name).c_str());
}

}  // namespace

base::Result<Whom> whom(const config::Config& config) {
  if (::geteuid() != 0) return Whom{};
  auto account = sandbox::find_account(config.user);
  if (!account) return std::unexpected(account.error());
  if (*account) return Whom{*account, ""};
  return Whom{std::nullopt, fmt::format("there is no account '{}': the daemons run with root's uid, though without its "
                                        "capabilities (setting user)", config.user)};
}

base::Status settle_folders(const config::Paths& paths, const Whom& whom) {
  if (::geteuid() != 0) return {};
  const sandbox::Identity to = whom.identity.value_or(sandbox::Identity{0, 0});
  remove_sockets(paths.run);
  if (auto done = open_way(paths.base, to.gid); !done) return done;
  for (const auto& folder : {paths.run, paths.log}) {
    if (auto done = settle(folder, 0, to.gid, kShared); !done) return done;
  }
  if (auto done = settle(paths.state, 0, to.gid, kRoots); !done) return done;
  for (const char* name : {"/token", "/writer-number"}) {
    if (auto done = base::give(paths.state + name, 0, to.gid); !done) return done;
  }
  for (const auto& folder : {paths.spool, paths.state + "/directory", paths.state + "/alerts", paths.state + "/web", paths.state + "/history",
                             paths.state + "/greylist", ipc::locks_folder(paths.run), config::filter_folder(paths)}) {
    if (auto done = base::give_tree(folder, to.uid, to.gid); !done) return done;
    if (auto done = set_mode(folder, kOwners); !done) return done;
  }
  return give_logs(paths.log, to);
}

}  // namespace holdfast::master
