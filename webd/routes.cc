#include "webd/routes.h"

#include "common/base/text.h"
#include "webd/answers.h"

namespace holdfast::webd {
namespace {

using enum admin::Role;
using enum Lane;

// clang-format off
constexpr Route kRoutes[]{
    {"GET", "status", kViewer, kQuick, answer_status},
    {"GET", "system", kViewer, kQuick, answer_system},
    {"POST", "system/restart", kAdmin, kQuick, restart},
    {"GET", "queue", kViewer, kQuick, list_queue},
    {"GET", "queue/ages", kViewer, kSlow, queue_ages},
    {"GET", "queue/{id}", kViewer, kQuick, show_message},
    {"GET", "queue/{id}/headers", kViewer, kQuick, message_headers},
    {"GET", "queue/{id}/content", kAdmin, kQuick, message_content, true},
    {"POST", "queue/retry", kOperator, kSlow, do_retry},
    {"POST", "queue/hold", kOperator, kSlow, do_hold},
    {"POST", "queue/release", kOperator, kSlow, do_release},
    {"POST", "queue/thaw", kOperator, kSlow, do_thaw},
    {"POST", "queue/extend", kOperator, kSlow, do_extend},
    {"POST", "queue/bounce", kAdmin, kSlow, do_bounce},
    {"POST", "queue/delete", kAdmin, kSlow, do_delete},
    {"POST", "queue/reroute", kAdmin, kSlow, do_reroute},
    {"GET", "destinations", kViewer, kQuick, list_destinations},
    {"GET", "destinations/{name}", kViewer, kQuick, show_destination},
    {"GET", "destinations/{name}/history", kViewer, kSlow, destination_history},
    {"POST", "destinations/{name}/probe", kOperator, kSlow, probe_destination},
    {"POST", "destinations/{name}/pause", kOperator, kQuick, pause_destination},
    {"POST", "destinations/{name}/resume", kOperator, kQuick, resume_destination},
    {"POST", "destinations/{name}/force", kOperator, kQuick, force_destination},
    {"POST", "destinations/{name}/test", kOperator, kSlow, test_destination},
    {"GET", "domains", kViewer, kQuick, list_domains},
    {"GET", "domains/{name}", kViewer, kQuick, show_domain},
    {"GET", "recipients", kViewer, kQuick, list_recipients},
    {"GET", "recipients/refused", kViewer, kSlow, refused_recipients},
    {"POST", "recipients/check", kViewer, kQuick, check_recipients},
    {"POST", "recipients/add", kAdmin, kQuick, add_recipients},
    {"POST", "recipients/deny", kAdmin, kQuick, deny_recipients},
    {"POST", "recipients/remove", kAdmin, kQuick, remove_recipients},
    {"POST", "recipients/flush", kAdmin, kSlow, flush_recipients},
    {"GET", "trace", kViewer, kSlow, trace},
    {"GET", "filters", kViewer, kQuick, show_filters},
    {"POST", "filters/bypass", kOperator, kQuick, bypass_filters},
    {"POST", "filters/test", kOperator, kSlow, test_filters},
    {"GET", "quarantine", kViewer, kSlow, show_quarantine},
    {"POST", "quarantine/release", kOperator, kSlow, release_quarantine},
    {"POST", "quarantine/delete", kAdmin, kSlow, delete_quarantine},
    {"GET", "alerts", kViewer, kQuick, list_alerts},
    {"POST", "alerts/ack", kOperator, kQuick, ack_alert},
    {"POST", "alerts/silence", kOperator, kQuick, silence_alert},
    {"POST", "alerts/unsilence", kOperator, kQuick, unsilence_alert},
    {"POST", "alerts/test", kAdmin, kSlow, test_alerts},
    {"GET", "config", kViewer, kQuick, show_config},
    {"GET", "config/diff", kAdmin, kQuick, diff_config},
    {"POST", "config/check", kAdmin, kQuick, check_config},
    {"POST", "config/reload", kAdmin, kQuick, reload_config},
    {"GET", "history", kViewer, kQuick, answer_history},
    {"GET", "report", kViewer, kReport, answer_report},
    {"GET", "audit", kAdmin, kQuick, list_audit},
    {"GET", "users", kAdmin, kQuick, list_users},
    {"POST", "users", kAdmin, kQuick, create_user},
    {"POST", "users/{name}", kAdmin, kQuick, change_user},
    {"DELETE", "users/{name}", kAdmin, kQuick, delete_user},
    {"GET", "tokens", kAdmin, kQuick, list_tokens},
    {"POST", "tokens", kAdmin, kQuick, create_token},
    {"DELETE", "tokens/{id}", kAdmin, kQuick, delete_token},
    {"POST", "password", kViewer, kQuick, change_own_password},
};
// clang-format on

bool fits(std::string_view pattern, std::span<const std::string> path, std::vector<std::string>& names) {
  const auto parts = base::split(pattern, '/');
  if (parts.size() != path.size()) return false;
  names.clear();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].starts_with('{')) {
      if (path[i].empty()) return false;
      names.push_back(path[i]);
    } else if (parts[i] != path[i]) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::span<const Route> all_routes() { return kRoutes; }

// In the order of the table: "queue/ages" stands before "queue/{id}".
Match match(std::string_view method, std::span<const std::string> path) {
  Match out;
  for (const Route& route : kRoutes) {
    std::vector<std::string> names;
    if (!fits(route.path, path, names)) continue;
    out.path_known = true;
    if (route.method != method) continue;
    out.route = &route;
    out.names = std::move(names);
    return out;
  }
  return out;
}

}  // namespace holdfast::webd
