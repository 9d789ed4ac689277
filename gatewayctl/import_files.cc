#include "gatewayctl/import_files.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "common/base/time.h"
#include "common/mail/address.h"
#include "common/mail/received.h"
#include "common/mail/wire_format.h"
#include "gatewayctl/message_files.h"

namespace holdfast::gatewayctl {
namespace {

using base::fail;
using base::Kind;
namespace fs = std::filesystem;

constexpr std::string_view kEml = ".eml";

// The content in wire format, from a file in any: what is read, and what a look at it has shown.
struct Wire {
  storage::Content content;
  std::string head;         // its first bytes, for scan_header()
  std::uint64_t bytes = 0;  // of the file
  bool eight_bit = false;
};

void look_at(Wire& wire, std::string_view piece) {
  wire.bytes += piece.size();
  wire.eight_bit =
      wire.eight_bit || std::ranges::any_of(piece, [](char c) { return static_cast<unsigned char>(c) > 127; });
}

base::Status append(Wire& wire, std::string_view encoded) {
  if (wire.head.size() < mail::kMaxHeader) wire.head.append(encoded.substr(0, mail::kMaxHeader - wire.head.size()));
  return wire.content.append(encoded);
}

base::Result<Wire> read_eml(const std::string& path, const std::string& spool) {
  const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return base::fail_errno(path, errno);
  Wire out{.content = storage::Content(spool), .head = {}};
  mail::WireEncoder encoder;
  std::vector<char> piece(64 << 10);
  for (;;) {
    const ssize_t n = ::read(fd.get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::fail_errno(path, errno);
    if (n == 0) break;
    const std::string_view plain(piece.data(), static_cast<std::size_t>(n));
    look_at(out, plain);
    if (auto done = append(out, encoder.take(plain)); !done) return std::unexpected(done.error());
  }
  if (auto done = append(out, encoder.finish()); !done) return std::unexpected(done.error());
  return out;
}

// Mail that comes from nowhere we know: a trace field says how it came here (RFC 5321 section 4.4).
std::string trace_field(const config::Config& config, mail::QueueId id, std::int64_t now_ms) {
  return fmt::format("Received: by {} (gatewayctl queue import)\r\n\tid {}; {}\r\n", config.hostname, id.text(),
                     base::rfc5322_date(base::from_millis(now_ms)));
}

base::Result<mail::Envelope> envelope_from_words(const ImportWords& words, const Wire& wire, std::int64_t now_ms) {
  if (words.recipients.empty()) return fail(Kind::kUsage, "there is no .json beside it: say --recipient and --sender");
  mail::Envelope out;
  out.sender = words.sender == "<>" ? "" : words.sender;
  if (!out.sender.empty() && !mail::parse_address(out.sender)) return fail(Kind::kUsage, "the sender is no address");
  for (const auto& address : words.recipients) {
    if (!mail::parse_address(address))
      return fail(Kind::kUsage, fmt::format("'{}' is no address", base::printable(address)));
    out.recipients.push_back({.address = address, .orcpt = {}, .notify = {}, .known = false});
  }
  out.arrival_ms = now_ms;
  out.client_address = "127.0.0.1";
  out.client_name = "localhost";
  out.protocol = "import";
  out.body = wire.eight_bit ? mail::Body::k8BitMime : mail::Body::k7Bit;
  out.message_id = mail::scan_header(wire.head).message_id;
  return out;
}

// The one that was said; or its own, if we have such a one; or that of its recipients' domain.
base::Result<std::string> destination_of(const config::Config& config, const ImportWords& words,
                                         const mail::Envelope& e) {
  if (!words.destination.empty()) {
    if (config.destinations.contains(words.destination)) return words.destination;
    return fail(Kind::kUsage, fmt::format("there is no destination '{}'", base::printable(words.destination)));
  }
  if (config.find_destination(e.destination) != nullptr) return e.destination;
  std::set<std::string> found;
  for (const auto& r : e.recipients) {
    const auto address = mail::parse_address(r.address, e.smtputf8);
    const auto* domain = address ? config.find_domain(address->domain) : nullptr;
    found.insert(domain == nullptr ? "" : domain->destination);
  }
  if (found.size() == 1 && !found.begin()->empty()) return *found.begin();
  return fail(Kind::kData, "its destination is not configured here: say --destination");
}

// Mail that would be given up the moment it comes gets a lifetime anew: nobody imports mail to see it bounced.
std::int64_t expiry(const config::Destination& destination, const mail::Envelope& e, std::int64_t now_ms) {
  const auto lifetime = base::Millis(destination.lifetime()).count();
  const auto own = e.expires_ms > 0 ? e.expires_ms : e.arrival_ms + lifetime;
  return own > now_ms ? e.expires_ms : now_ms + lifetime;
}

struct Found {
  mail::Envelope envelope;
  bool described = false;  // by a .json: it has been through a gateway
};

base::Result<Found> find_envelope(const ImportWords& words, const std::string& eml, const Wire& wire,
                                  std::int64_t now_ms) {
  const auto text = base::read_file(beside(eml, ".json"));
  if (!text && text.error().kind == Kind::kNotFound) {
    auto said = envelope_from_words(words, wire, now_ms);
    if (!said) return std::unexpected(said.error());
    return Found{.envelope = std::move(*said)};
  }
  if (!text) return std::unexpected(text.error());
  auto described = parse_description(*text);
  if (!described) return fail(described.error().kind, beside(eml, ".json") + ": " + described.error().text);
  if (described->eml_bytes != wire.bytes) {
    return fail(Kind::kData, fmt::format("it has {} bytes, and its .json says {}", wire.bytes, described->eml_bytes));
  }
  auto& arrival = described->envelope.arrival_ms;
  if (arrival == 0 || arrival > now_ms) arrival = now_ms;
  return Found{.envelope = std::move(described->envelope), .described = true};
}

}  // namespace

std::string beside(const std::string& eml, const char* ending) {
  return fs::path(eml).replace_extension(ending).string();
}

base::Result<std::vector<std::string>> find_eml_files(const std::vector<std::string>& paths) {
  std::vector<std::string> out;
  for (const auto& path : paths) {
    std::error_code ec;
    if (!fs::exists(path, ec)) return fail(Kind::kNotFound, path + ": there is no such file or folder");
    if (!fs::is_directory(path, ec)) {
      if (fs::path(path).extension() != kEml) return fail(Kind::kUsage, path + ": not an .eml file");
      out.push_back(path);
      continue;
    }
    for (fs::directory_iterator it(path, ec), end; !ec && it != end; it.increment(ec)) {
      if (it->path().extension() == kEml) out.push_back(it->path().string());
    }
    if (ec) return fail(Kind::kPermission, path + ": " + ec.message());
  }
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  return out;
}

base::Result<Import> read_import(const config::Config& config, const ImportWords& words, const std::string& eml,
                                 mail::QueueId id, std::int64_t now_ms) {
  auto wire = read_eml(eml, config.paths.spool);
  if (!wire) return std::unexpected(wire.error());
  auto found = find_envelope(words, eml, *wire, now_ms);
  if (!found) return std::unexpected(found.error());
  auto& envelope = found->envelope;
  auto destination = destination_of(config, words, envelope);
  if (!destination) return std::unexpected(destination.error());
  envelope.destination = std::move(*destination);
  envelope.expires_ms = expiry(*config.find_destination(envelope.destination), envelope, now_ms);
  if (words.hold && envelope.hold.empty()) envelope.hold = "imported with --hold";
  if (!found->described) wire->content.set_head(trace_field(config, id, now_ms));
  return Import{std::move(envelope), std::move(wire->content)};
}

}  // namespace holdfast::gatewayctl
