#include "common/sandbox/rights.h"

#include <algorithm>
#include <array>

#include <fmt/core.h>

namespace holdfast::sandbox {
namespace {

using enum Place;
using enum Access;

constexpr FolderRight kAlertd[]{
    {kIndex, kReadDatabase}, {kDirectory, kReadDatabase}, {kAlerts, kWrite}, {kRun, kListen}, {kLog, kAppend}};
constexpr FolderRight kProber[]{{kDirectory, kWrite}, {kToken, kRead}, {kRun, kListen}, {kLog, kAppend}};
constexpr FolderRight kQmgr[]{{kSpool, kWrite}, {kDirectory, kReadDatabase}, {kRun, kListen}, {kLog, kAppend}};
constexpr FolderRight kDeliver[]{
    {kSegments, kRead}, {kRescan, kWrite}, {kDirectory, kReadDatabase}, {kRun, kRead}, {kLocks, kLock}, {kLog, kAppend}};
constexpr FolderRight kSmtpd[]{
    {kSegments, kWrite}, {kDirectory, kReadDatabase}, {kGreylist, kWrite}, {kToken, kRead}, {kRun, kRead}, {kLog, kAppend}};

constexpr FolderRight kWebd[]{{kIndex, kReadDatabase}, {kSegments, kRead}, {kDirectory, kReadDatabase}, {kWeb, kWrite},
                              {kHistory, kWrite},     {kRun, kRead},      {kLog, kExtend}};

// Reads what anybody may have sent: it hears of mail by its own socket, and sees nothing but the configuration beside it.
constexpr FolderRight kContentFilter[]{{kRun, kRead}, {kFilter, kListen}, {kLog, kAppend}};

constexpr std::array<Rights, 7> kRights{{
    {.daemon = "alertd", .folders = kAlertd, .network = true, .handed_files = true},
    {.daemon = "prober", .folders = kProber, .network = true, .handed_files = true},
    {.daemon = "qmgr", .folders = kQmgr, .network = false, .handed_files = false},
    {.daemon = "deliver", .folders = kDeliver, .network = true, .handed_files = true},
    {.daemon = "smtpd", .folders = kSmtpd, .network = true, .handed_files = true},
    {.daemon = "webd", .folders = kWebd, .network = true, .handed_files = true},
    {.daemon = "filter", .folders = kContentFilter, .network = false, .handed_files = false, .alone = true},
}};

std::string folders_with(const Rights& rights, std::initializer_list<Access> wanted) {
  std::string out;
  for (const auto& [place, access] : rights.folders) {
    if (std::ranges::find(wanted, access) == wanted.end()) continue;
    out += fmt::format("{}`{}`{}", out.empty() ? "" : ", ", to_text(place), to_text(access));
  }
  return out.empty() ? "–" : out;
}

}  // namespace

std::span<const Rights> all_rights() { return kRights; }

const Rights* rights_of(std::string_view daemon) {
  const auto found = std::ranges::find(kRights, daemon, &Rights::daemon);
  return found == kRights.end() ? nullptr : &*found;
}

std::string_view to_text(Place place) {
  switch (place) {
    case kSpool: return "spool";
    case kSegments: return "spool/segments";
    case kIndex: return "spool/index";
    case kRescan: return "spool/rescan";
    case kDirectory: return "state/directory";
    case kAlerts: return "state/alerts";
    case kWeb: return "state/web";
    case kHistory: return "state/history";
    case kGreylist: return "state/greylist";
    case kToken: return "state/token";
    case kRun: return "run";
    case kLocks: return "run/locks";
    case kFilter: return "run/filter";
    case kLog: return "log";
  }
  return "";
}

std::string_view to_text(Access access) {
  switch (access) {
    case kRead:
    case kWrite:
    case kExtend: return "";
    case kReadDatabase: return " (and its `lock.mdb`, to be written)";
    case kListen: return " (its own socket)";
    case kLock: return " (its own lock)";
    case kAppend: return " (not to be read)";
  }
  return "";
}

std::string rights_table() {
  std::string out =
      "| daemon | reads | reads and writes | network | keys and passwords |\n"
      "|---|---|---|---|---|\n";
  for (const auto& r : kRights) {
    out += fmt::format("| {} | {} | {} | {} | {} |\n", r.daemon, folders_with(r, {kRead, kReadDatabase}),
                       folders_with(r, {kWrite, kListen, kLock, kAppend, kExtend}), r.network ? "IPv4, IPv6" : r.alone ? "none, connects to nobody" : "none",
                       r.handed_files ? "from master" : "none");
  }
  return out;
}

}  // namespace holdfast::sandbox
