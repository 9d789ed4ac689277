// `gatewayctl status`: the situation. Gathered by status_look.h; here it is only said. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/admin/filter_report.h"

namespace holdfast::admin {

struct DaemonLine {
  std::string name;
  std::uint32_t worker = 0;
  std::optional<std::int64_t> pid;
  std::string state;  // "running", "starting", "restarting", "stopped"
  std::optional<std::uint64_t> restarts;
};

struct DestinationLine {
  std::string name;
  std::string state;  // "up", "down", …; empty: never looked at
  std::string reason;
  std::string mode;  // "proxy", "queue", "pass thro'"
  std::int64_t since_ms = 0;
  std::optional<std::uint64_t> queued;  // messages: the sum of the next three
  std::uint64_t deferred = 0, held = 0, frozen = 0, bytes = 0;  // what is under way counts as deferred
  bool stale = false;  // nobody stands by the state any more: it is tried as up
  bool asked = false;  // filters or lists are asked about some of its mail, whatever its state
};

struct DomainLine {
  std::string name, destination;
  std::optional<int> coverage_percent;
  std::optional<bool> catch_all;
};

struct QueueLine {
  std::uint64_t messages = 0, bytes = 0, deferred = 0, held = 0, frozen = 0;
  std::optional<std::uint64_t> active;  // unknown while qmgr does not answer
  std::optional<std::int64_t> oldest_seconds;
  std::uint64_t unfiltered = 0;  // taken without asking filters
};

struct SpoolLine {
  std::uint64_t free_bytes = 0;
  int free_percent = 0;
  bool accepting = true;
};

// Of the whole queue (no name) or of a domain; 0 is no bound.
struct QuotaLine {
  std::string name;
  std::uint64_t messages = 0, bytes = 0, max_messages = 0, max_bytes = 0;
  bool full() const { return (max_messages > 0 && messages >= max_messages) || (max_bytes > 0 && bytes >= max_bytes); }
};

// Since qmgr's start. Each bounce is potential backscatter.
struct ReportsLine {
  std::uint64_t written = 0, delays = 0, suppressed = 0, possible_duplicates = 0;
};

// Of all smtpd workers, each since its start.
struct ClientsLine {
  std::uint64_t now = 0, stressed_workers = 0;
  std::uint64_t refused_connections = 0, refused_messages = 0, refused_recipients = 0, refused_kept = 0;  // by a limit
  std::uint64_t early_talkers = 0;
};

// An open alert.
struct AlertLine {
  std::uint64_t id = 0;
  std::string title, severity;
  std::string since;  // as ISO 8601
  bool acknowledged = false;
  std::string kind, subject, cause;
};

struct Status {
  std::int64_t now_ms = 0;
  std::vector<DaemonLine> daemons;
  std::vector<DestinationLine> destinations;
  std::vector<DomainLine> domains;
  std::optional<QueueLine> queue;  // nothing: it could not be read
  std::optional<SpoolLine> spool;
  std::vector<QuotaLine> quotas;
  std::optional<ClientsLine> clients;  // nothing: master does not answer
  std::optional<ReportsLine> reports;  // nothing: qmgr does not answer
  std::optional<std::vector<AlertLine>> alerts;  // those that are open; nothing: alertd does not answer
  Filtering filtering;
  std::size_t filtered_domains = 0;    // of whose mail somebody is asked
  bool index_works = true;             // false: qmgr says that it cannot commit
};

// The mode shown for a destination's state (design.md section 1).
std::string mode_text(const std::string& effective_state);

// The one that a display shows for all destinations: the least calm of theirs; "-" when there are none.
std::string overall_mode(const Status& status);

// What an admin wants to know first, in one sentence.
std::string situation(const Status& status);
// What is down first, otherwise in their order.
std::vector<const DestinationLine*> worst_first(const std::vector<DestinationLine>& destinations);
std::string status_text(const Status& status);
std::string status_json(const Status& status);  // one object, design.md section 7

}  // namespace holdfast::admin
