#include "common/sandbox/sandbox.h"

#include <cerrno>

#include <fmt/core.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/base/panic.h"
#include "common/sandbox/landlock.h"
#include "common/sandbox/rights.h"
#include "common/sandbox/seccomp.h"

namespace holdfast::sandbox {
namespace {

#ifdef HOLDFAST_SANITIZED
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

base::Status close_files(const Request& request, const Rights& rights, std::vector<std::string>& told) {
  const int version = landlock_version();
  if (version < kLandlockNeeded) {
    told.push_back(fmt::format("this kernel has no Landlock of version {}: folders are guarded by their owners and modes alone",
                               kLandlockNeeded));
    return {};
  }
  auto open = system_openings(rights, ::geteuid() == 0);
  for (const auto& [place, access] : rights.folders) {
    for (auto& opening : openings(place, access, request.folders)) open.push_back(std::move(opening));
  }
  return close_file_system(open, rights, version);
}

}  // namespace

base::Result<std::vector<std::string>> enter(const Request& request) {
  const Rights* rights = rights_of(request.daemon);
  base::expect(rights != nullptr, "a daemon without a row of rights");
  if (kSanitized) return std::vector<std::string>{"built with sanitizers: the sandbox is off"};
  std::vector<std::string> told;
  if (request.unseen && ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return base::fail_errno("dumpable", errno);
  if (auto closed = close_files(request, *rights, told); !closed) return std::unexpected(closed.error());
  if (auto filtered = filter_calls(*rights); !filtered) {
    if (filtered.error().kind != base::Kind::kUnavailable) return std::unexpected(filtered.error());
    told.push_back(filtered.error().text + ": system calls are not filtered");
  }
  return told;
}

}  // namespace holdfast::sandbox
