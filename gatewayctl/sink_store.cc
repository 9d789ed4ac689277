#include "gatewayctl/sink_store.h"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/base/file.h"
#include "common/base/text.h"
#include "common/mail/wire_format.h"

namespace holdfast::gatewayctl::sink {
namespace {

std::string line_of(std::uint64_t number, const Received& m) {
  std::string to;
  for (const auto& recipient : m.recipients)
    to += fmt::format("{}<{}>", to.empty() ? "" : ",", base::printable(recipient));
  return fmt::format("message {} from=<{}> to={} size={} helo={} client={}", number, base::printable(m.sender), to,
                     m.octets, base::printable(m.helo), m.client);
}

std::string json_of(std::uint64_t number, const Received& m) {
  const nlohmann::ordered_json object{{"number", number},         {"sender", m.sender}, {"recipients", m.recipients},
                                      {"message_size", m.octets}, {"helo", m.helo},     {"client", m.client}};
  return object.dump();
}

}  // namespace

std::string Counts::text(bool json) const {
  const nlohmann::ordered_json object{
      {"connections", connections}, {"messages", messages},     {"recipients", recipients}, {"bytes", bytes},
      {"refused", refused},         {"tempfailed", tempfailed}, {"stalled", stalled},       {"dropped", dropped}};
  if (json) return object.dump();
  std::string out;
  for (const auto& [name, value] : object.items())
    out += fmt::format("{}{}={}", out.empty() ? "" : " ", name, value.dump());
  return out;
}

base::Status Store::prepare() { return options_.folder.empty() ? base::Status{} : base::make_folders(options_.folder); }

base::Status Store::take(const Received& message) {
  const std::uint64_t number = counts.messages + 1;
  if (!options_.folder.empty()) {
    const std::string name = fmt::format("{}/{:06}", options_.folder, number);
    if (auto status = save(name + ".eml", mail::from_wire(message.wire)); !status) return status;
    if (auto status = save(name + ".json", json_of(number, message) + "\n"); !status) return status;
  }
  counts.messages = number;
  counts.recipients += message.recipients.size();
  counts.bytes += message.octets;
  if (options_.print) {
    fmt::print("{}\n", options_.json ? json_of(number, message) : line_of(number, message));
    std::fflush(stdout);
  }
  return {};
}

// Not synced: a test's memory, not a spool.
base::Status Store::save(const std::string& name, std::string_view bytes) {
  const std::string temporary = name + ".new";
  const base::UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
  if (!fd) return base::fail_errno(temporary, errno);
  if (auto status = base::write_all(fd.get(), bytes); !status) return status;
  if (std::rename(temporary.c_str(), name.c_str()) != 0) return base::fail_errno(name, errno);
  return {};
}

}  // namespace holdfast::gatewayctl::sink
