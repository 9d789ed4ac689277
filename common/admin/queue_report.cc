#include "common/admin/queue_report.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/base/text.h"
#include "common/base/time.h"
#include "common/admin/text_json.h"

namespace holdfast::admin {
namespace {

using storage::Listed;
using storage::MessageState;
using storage::RecipientStatus;

std::string sender_text(const Listed& item) {
  return item.message.sender.empty() ? "MAILER-DAEMON" : item.message.sender;
}

// Why the destination gets nothing at present; null when it does.
const std::string* shut(const Listed& item, const Moment& moment) {
  const auto found = moment.shut.find(item.message.destination);
  return found == moment.shut.end() || item.message.state != MessageState::kDeferred ? nullptr : &found->second;
}

std::string reason_of(const Listed& item, const Moment& moment) {
  const std::string* why = shut(item, moment);
  return why != nullptr ? *why : item.message.reason;
}

std::string reason_of(const Listed& item, const storage::RecipientState& recipient, const Moment& moment) {
  return recipient.reply.empty() ? reason_of(item, moment) : recipient.reply;
}

std::string domain_of(const Listed& item) {
  if (item.recipients.empty()) return "";
  const std::string& address = item.recipients.front().address;
  const auto at = address.rfind('@');
  return at == address.npos ? "" : base::to_lower(address.substr(at + 1));
}

std::int64_t next_attempt_ms(const Listed& item, const Moment& moment) {
  const bool tried =
      std::ranges::any_of(item.recipients, [](const auto& r) { return r.status == RecipientStatus::kOpen; });
  const bool planned = tried && item.message.state == MessageState::kDeferred && shut(item, moment) == nullptr;
  return planned ? item.message.due_ms : 0;
}

// When it ends by itself; 0: never, or only after the next attempt.
std::int64_t expires_ms(const storage::MessageRow& m) {
  if (m.state == MessageState::kHeld) return 0;
  return m.state == MessageState::kFrozen ? m.discard_ms : m.expires_ms;
}

std::string next_text(const Listed& item, const Moment& moment) {
  if (shut(item, moment) != nullptr) return "when it is back";
  return ahead_text(next_attempt_ms(item, moment), moment.now_ms);
}

// The first recipient and how many more.
std::string recipients_text(const Listed& item) {
  std::string first;
  std::size_t open = 0;
  for (const auto& r : item.recipients) {
    if (r.status == RecipientStatus::kSent || r.status == RecipientStatus::kReported) continue;
    if (open++ == 0) first = r.address;
  }
  return open > 1 ? fmt::format("{} +{}", first, open - 1) : first;
}

json as_json(const Listed& item, const Moment& moment) {
  json recipients = json::array();
  for (const auto& r : item.recipients) {
    if (r.status == RecipientStatus::kSent || r.status == RecipientStatus::kReported) continue;
    json one{{"address", r.address}, {"status", storage::to_text(r.status)}};
    if (const auto reason = reason_of(item, r, moment); !reason.empty()) one["delay_reason"] = reason;
    recipients.push_back(std::move(one));
  }
  return {{"queue_name", queue_name(item, moment)},
          {"queue_id", item.id.text()},
          {"arrival_time", item.message.arrival_ms / 1000},
          {"message_size", item.message.size},
          {"forced_expire", false},
          {"sender", sender_text(item)},
          {"recipients", std::move(recipients)},
          {"domain", domain_of(item)},
          {"destination", item.message.destination},
          {"next_attempt", epoch_json(next_attempt_ms(item, moment))},
          {"attempts", item.message.attempts},
          {"expires", epoch_json(expires_ms(item.message))},
          {"unfiltered", item.message.unfiltered},
          {"reason", reason_of(item, moment)}};
}

// "Sun Nov 22 10:00:00", as Postfix shows arrival times.
std::string mailq_date(std::int64_t ms) {
  const std::time_t seconds = ms / 1000;
  std::tm local{};
  ::localtime_r(&seconds, &local);
  char out[32];
  std::strftime(out, sizeof out, "%a %b %d %H:%M:%S", &local);
  return out;
}

std::string envelope_text(const mail::Envelope& e) {
  const std::string client =
      fmt::format("{}[{}]:{}", e.client_name.empty() ? "unknown" : e.client_name, e.client_address, e.client_port);
  return field_line("client", client) + field_line("helo", e.helo) + field_line("protocol", e.protocol) +
         field_line("message-id", e.message_id);
}

std::string copies_text(const RecordTold& told) {
  std::string out = told.copy_of ? field_line("copy of", told.copy_of->text()) : "";
  for (const auto& copy : told.copies) {
    out += field_line("copy", fmt::format("{} to <{}>, {}", copy.id.text(), copy.to, copy.queued ? "queued" : "not in the queue any more"));
  }
  return out;
}

json copies_json(const RecordTold& told) {
  json out = json::array();
  for (const auto& copy : told.copies) {
    out.push_back({{"queue_id", copy.id.text()}, {"address", copy.to}, {"for", copy.of}, {"queued", copy.queued}});
  }
  return out;
}

}  // namespace

std::string queue_name(const Listed& item, const Moment& moment) {
  const bool now = item.message.state == MessageState::kDeferred && moment.active.contains(item.id);
  return now ? "active" : std::string(storage::to_text(item.message.state));
}

std::string queue_json(const Listed& item, const Moment& moment) { return dump_line(as_json(item, moment)); }

Table queue_table() {
  return Table({"ID", "STATE", ">SIZE", "AGE", "NEXT", "EXPIRES", "DESTINATION", "SENDER", "RECIPIENTS", "REASON"});
}

void add_to(Table& table, const Listed& item, const Moment& moment) {
  const auto& m = item.message;
  table.add({item.id.text(), queue_name(item, moment), bytes_text(m.size),
             base::spell(base::Seconds{std::max<std::int64_t>(0, moment.now_ms - m.arrival_ms) / 1000}),
             next_text(item, moment), ahead_text(expires_ms(m), moment.now_ms), m.destination,
             m.sender.empty() ? "<>" : m.sender, recipients_text(item), reason_of(item, moment)});
}

std::string mailq_head() { return "-Queue ID-        --Size-- ----Arrival Time---- -Sender/Recipient-------\n"; }

std::string mailq_entry(const Listed& item, const Moment& moment) {
  const std::string name = queue_name(item, moment);
  const char mark = name == "active" ? '*' : name == "held" ? '!' : ' ';
  std::string out = fmt::format("{:<17} {:>8} {:>19}  {}\n", item.id.text() + mark, item.message.size,
                                mailq_date(item.message.arrival_ms), base::printable(sender_text(item)));
  std::string shown;
  for (const auto& r : item.recipients) {
    if (r.status == RecipientStatus::kSent || r.status == RecipientStatus::kReported) continue;
    const std::string reason = reason_of(item, r, moment);
    if (!reason.empty() && reason != shown) out += fmt::format("{:>78}\n", "(" + base::printable(reason) + ")");
    shown = reason;
    out += fmt::format("{:48}{}\n", "", base::printable(r.address));
  }
  return out + "\n";
}

std::string mailq_foot(std::uint64_t messages, std::uint64_t bytes) {
  if (messages == 0) return "Mail queue is empty\n";
  return fmt::format("-- {} Kbytes in {} Request{}.\n", (bytes + 1023) / 1024, messages, messages == 1 ? "" : "s");
}

std::string message_text(const Listed& item, const Moment& moment, const RecordTold* told) {
  const auto& m = item.message;
  std::string out =
      field_line("id", item.id.text()) + field_line("state", queue_name(item, moment)) +
      field_line("reason", reason_of(item, moment)) + field_line("sender", m.sender.empty() ? "<>" : m.sender) +
      field_line("destination", m.destination) + field_line("size", fmt::format("{} bytes", m.size)) +
      field_line("arrived", dated_text(m.arrival_ms, moment.now_ms)) + field_line("attempts", fmt::format("{}", m.attempts)) +
      field_line("last attempt", dated_text(m.last_attempt_ms, moment.now_ms)) + field_line("next attempt", next_text(item, moment)) +
      field_line(m.state == MessageState::kFrozen ? "deleted" : "expires", dated_text(expires_ms(m), moment.now_ms));
  out += told != nullptr ? envelope_text(told->envelope) + copies_text(*told) : field_line("record", "cannot be read");
  Table table({"RECIPIENT", "STATUS", "LAST REPLY"});
  for (const auto& r : item.recipients) table.add({r.address, std::string(storage::to_text(r.status)), r.reply});
  return out + "\n" + table.take();
}

std::string message_json(const Listed& item, const Moment& moment, const RecordTold* told) {
  json out = as_json(item, moment);
  out["last_attempt"] = epoch_json(item.message.last_attempt_ms);
  out["recipients"] = json::array();
  for (const auto& r : item.recipients) {
    out["recipients"].push_back({{"address", r.address},
                                 {"status", storage::to_text(r.status)},
                                 {"known", r.known},
                                 {"delay_reason", r.reply},
                                 {"dsn", r.dsn}});
  }
  if (told != nullptr) {
    const auto& envelope = told->envelope;
    out["client_address"] = envelope.client_address;
    out["client_name"] = envelope.client_name;
    out["helo"] = envelope.helo;
    out["protocol"] = envelope.protocol;
    out["message_id"] = envelope.message_id;
    out["copy_of"] = told->copy_of ? json(told->copy_of->text()) : json();
    out["copies"] = copies_json(*told);
  }
  return dump_line(out);
}

}  // namespace holdfast::admin
