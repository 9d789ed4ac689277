#include "gatewayctl/message_files.h"

#include <limits>
#include <optional>

#include <fmt/core.h>

#include "common/base/time.h"
#include "common/mail/address.h"
#include "common/admin/text_json.h"

namespace holdfast::gatewayctl {

using namespace admin;

namespace {

constexpr int kFormat = 1;

// Index and envelope name the same recipients in the same order.
json recipients_json(const storage::Listed& item, const mail::Envelope& envelope) {
  json out = json::array();
  for (std::size_t i = 0; i < item.recipients.size(); ++i) {
    const auto& r = item.recipients[i];
    json one{
        {"address", r.address}, {"status", storage::to_text(r.status)}, {"known", r.known}, {"last_reply", r.reply}};
    if (i < envelope.recipients.size()) {
      one["orcpt"] = envelope.recipients[i].orcpt;
      one["notify"] = envelope.recipients[i].notify;
    }
    out.push_back(std::move(one));
  }
  return out;
}

// Reads members of an object; the first that is wrong is remembered.
class Reader {
 public:
  explicit Reader(const json& object) : object_(object) {}

  std::string text(const char* name, std::size_t most = 4096) {
    const auto* value = find(name);
    if (value == nullptr) return {};
    if (!value->is_string() || value->get_ref<const std::string&>().size() > most) return wrong(name), std::string();
    auto out = value->get<std::string>();
    if (out.find_first_of(std::string("\r\n\0", 3)) != out.npos) return wrong(name), std::string();
    return out;
  }
  std::int64_t number(const char* name, std::int64_t most = std::numeric_limits<std::int64_t>::max()) {
    const auto* value = find(name);
    if (value == nullptr) return 0;
    if (!value->is_number_integer()) return wrong(name), 0;
    if (value->is_number_unsigned() && value->get<std::uint64_t>() > static_cast<std::uint64_t>(most))
      return wrong(name), 0;
    const auto out = value->get<std::int64_t>();
    return out < 0 || out > most ? (wrong(name), 0) : out;
  }
  bool flag(const char* name, bool otherwise) {
    const auto* value = find(name);
    if (value == nullptr) return otherwise;
    if (!value->is_boolean()) return wrong(name), otherwise;
    return value->get<bool>();
  }
  // An address as parse_address() takes it; `may_be_empty`: or none.
  std::string address(const char* name, bool may_be_empty, bool utf8) {
    auto out = text(name, mail::kMaxAddress);
    if ((out.empty() && !may_be_empty) || (!out.empty() && !mail::parse_address(out, utf8))) wrong(name);
    return out;
  }
  void wrong(const char* name) {
    if (fault_.empty()) fault_ = fmt::format("\"{}\" is not what it should be", name);
  }
  const std::string& fault() const { return fault_; }

 private:
  const json* find(const char* name) const {
    const auto found = object_.find(name);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }

  const json& object_;
  std::string fault_;
};

std::optional<mail::Recipient> read_recipient(const json& object, bool utf8, bool& wrong) {
  wrong = !object.is_object();
  if (wrong) return std::nullopt;
  Reader in(object);
  const auto status = in.text("status");
  mail::Recipient out{.address = in.address("address", false, utf8),
                      .orcpt = in.text("orcpt"),
                      .notify = in.text("notify"),
                      .known = in.flag("known", false)};
  wrong = !in.fault().empty();
  if (!status.empty() && status != "open" && status != "refused") return std::nullopt;
  return out;
}

base::Status read_recipients(const json& object, mail::Envelope& envelope) {
  const auto list = object.find("recipients");
  if (list == object.end() || !list->is_array()) return base::fail(base::Kind::kData, "it has no list of recipients");
  for (const auto& each : *list) {
    bool wrong = false;
    auto recipient = read_recipient(each, envelope.smtputf8, wrong);
    if (wrong) return base::fail(base::Kind::kData, "a recipient is not what it should be");
    if (recipient) envelope.recipients.push_back(std::move(*recipient));
  }
  if (envelope.recipients.empty()) return base::fail(base::Kind::kData, "none of its recipients is open");
  return {};
}

std::string hold_reason(const std::string& state, const std::string& reason) {
  if (state != "held" && state != "frozen") return {};
  return fmt::format("imported, was {}{}{}", state, reason.empty() ? "" : ": ", reason);
}

void read_client(Reader& in, mail::Envelope& e) {
  e.client_address = in.text("client_address");
  e.client_port = static_cast<std::uint16_t>(in.number("client_port", 65535));
  e.client_name = in.text("client_name");
  e.helo = in.text("helo");
  e.protocol = in.text("protocol");
  e.tls = in.text("tls");
}

void read_mail(Reader& in, mail::Envelope& e) {
  e.smtputf8 = in.flag("smtputf8", false);
  e.sender = in.address("sender", true, e.smtputf8);
  e.destination = in.text("destination");
  e.arrival_ms = in.number("arrival_ms");
  e.expires_ms = in.number("expires_ms");
  e.body = in.text("body") == "8BITMIME" ? mail::Body::k8BitMime : mail::Body::k7Bit;
  e.ret = in.text("ret");
  e.envid = in.text("envid");
  e.verdict = in.text("verdict");
  e.unfiltered = in.flag("unfiltered", false);
  e.message_id = in.text("message_id");
  // Of the other gateway's ids; what counts is that it is a report, which nobody is told of.
  if (const auto original = mail::QueueId::parse(in.text("report_of"))) e.report_of = original->value;
  const auto state = in.text("state");
  e.hold = hold_reason(state, in.text("reason", 1 << 20));
}

}  // namespace

std::string description_of(const storage::Listed& item, const mail::Envelope& e, std::uint64_t eml_bytes,
                           std::string_view hostname) {
  const auto& m = item.message;
  json out;
  out["format"] = kFormat;
  out["queue_id"] = item.id.text();
  out["exported_by"] = hostname;
  out["eml_bytes"] = eml_bytes;
  out["sender"] = m.sender;
  out["recipients"] = recipients_json(item, e);
  out["destination"] = m.destination;
  out["arrival"] = time_json(m.arrival_ms);
  out["arrival_ms"] = m.arrival_ms;
  out["expires"] = time_json(m.expires_ms);
  out["expires_ms"] = m.expires_ms;
  out["state"] = storage::to_text(m.state);
  out["reason"] = m.reason;
  out["attempts"] = m.attempts;
  out["last_attempt"] = time_json(m.last_attempt_ms);
  out["client_address"] = e.client_address;
  out["client_port"] = e.client_port;
  out["client_name"] = e.client_name;
  out["helo"] = e.helo;
  out["protocol"] = e.protocol;
  out["tls"] = e.tls;
  out["smtputf8"] = e.smtputf8;
  out["body"] = e.body == mail::Body::k8BitMime ? "8BITMIME" : "7BIT";
  out["ret"] = e.ret;
  out["envid"] = e.envid;
  out["verdict"] = e.verdict;
  out["unfiltered"] = e.unfiltered;
  out["message_id"] = e.message_id;
  out["report_of"] = mail::QueueId{m.report_of}.text();
  return out.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

base::Result<Description> parse_description(std::string_view text) {
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) return base::fail(base::Kind::kData, "it is not a JSON object");
  Reader in(object);
  if (in.number("format") != kFormat)
    return base::fail(base::Kind::kData, fmt::format("its format is not {}", kFormat));
  Description out;
  read_mail(in, out.envelope);
  read_client(in, out.envelope);
  out.eml_bytes = static_cast<std::uint64_t>(in.number("eml_bytes"));
  if (!in.fault().empty()) return base::fail(base::Kind::kData, in.fault());
  if (auto done = read_recipients(object, out.envelope); !done) return std::unexpected(done.error());
  return out;
}

}  // namespace holdfast::gatewayctl
