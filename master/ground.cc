#include "master/ground.h"

#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <sys/resource.h>

#include "common/base/file.h"
#include "common/base/installation_token.h"
#include "common/config/security.h"
#include "common/daemon/board.h"
#include "common/daemon/file_bag.h"
#include "common/ipc/locks.h"
#include "common/sandbox/rights.h"
#include "common/storage/segment.h"
#include "master/spawn.h"

namespace holdfast::master {
namespace {

// Longer than a daemon's own limit for draining.
constexpr unsigned kPatienceSeconds = 12;

base::Status make_all_folders(const config::Paths& paths) {
  for (const std::string& folder :
       {paths.spool, storage::segments_folder(paths.spool), storage::corrupt_folder(paths.spool), paths.spool + "/index", storage::rescan_folder(paths.spool),
        paths.state, paths.state + "/directory", paths.state + "/alerts", config::web_folder(paths), paths.state + "/history", paths.state + "/greylist", paths.run, ipc::locks_folder(paths.run), config::filter_folder(paths), paths.log}) {
    if (auto made = base::make_folders(folder); !made) return made;
  }
  // A start that was cut short may have made folders whose names are not on disk yet. The one above may be
  // somebody else's, closed to us: then its owner has made ours.
  for (const std::string& folder : {paths.spool, paths.state}) {
    if (auto done = base::fsync_folder(folder); !done) return done;
    (void)base::fsync_folder(std::filesystem::path(folder).parent_path().string());
  }
  return {};
}

// What several daemons use, and those that only read cannot make (common/sandbox/rights.h).
base::Status make_shared_files(const config::Paths& paths) {
  if (auto token = base::installation_token(paths.state); !token) return std::unexpected(token.error());
  for (const std::string& folder : {paths.state + "/directory", paths.spool + "/index"}) {
    const std::string lock = folder + "/lock.mdb";  // LMDB gives an empty one its shape
    const base::UniqueFd fd(::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
    if (!fd) return base::fail_errno(lock, errno);
  }
  return {};
}

}  // namespace

base::Result<Bags> Bags::pack(const config::Config& config) {
  Bags out;
  for (const auto& [reader, bag] : {std::pair{config::Reader::kSmtpd, &out.front}, std::pair{config::Reader::kRoads, &out.roads},
                                    std::pair{config::Reader::kAlertd, &out.alerts}}) {
    auto packed = daemon::pack_files(config::secret_files(config, reader));
    if (!packed) return std::unexpected(packed.error());
    *bag = std::move(*packed);
  }
  return out;
}

int Bags::of(std::string_view daemon) const {
  const auto* rights = sandbox::rights_of(daemon);
  if (rights == nullptr || !rights->handed_files) return -1;
  if (daemon == "alertd") return alerts.get();
  return daemon == "smtpd" ? front.get() : roads.get();
}

base::Result<Ground> prepare(const config::Config& config) {
  Ground out;
  if (auto made = make_all_folders(config.paths); !made) return std::unexpected(made.error());
  if (auto made = make_shared_files(config.paths); !made) return std::unexpected(made.error());
  auto instance = Instance::take(config.paths.run, kPatienceSeconds);
  if (!instance) return std::unexpected(instance.error());
  out.instance = std::move(*instance);
  auto bound = out.listeners.bind_missing(config.listen);
  if (!bound) return std::unexpected(bound.error());
  out.listeners.become(config.listen, std::move(*bound));
  auto numbers = WriterNumbers::open(config.paths);
  if (!numbers) return std::unexpected(numbers.error());
  out.numbers = std::move(*numbers);
  auto board = daemon::Board::make();
  if (!board) return std::unexpected(board.error());
  out.board = std::move(*board);
  auto who = whom(config);
  if (!who) return std::unexpected(who.error());
  out.whom = std::move(*who);
  if (auto settled = settle_folders(config.paths, out.whom); !settled) return std::unexpected(settled.error());
  auto bags = Bags::pack(config);
  if (!bags) return std::unexpected(bags.error());
  out.bags = std::move(*bags);
  auto web = Web::prepare(config);
  if (!web) return std::unexpected(web.error());
  out.web = std::move(*web);
  auto programs = program_folder();
  if (!programs) return std::unexpected(programs.error());
  out.programs = std::move(*programs);
  return out;
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace holdfast::master
