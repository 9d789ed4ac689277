#include "common/config/copies.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "common/base/idn.h"
#include "common/base/text.h"
#include "common/config/values.h"

namespace holdfast::config {
namespace {

struct Parts {
  std::string local, domain;  // lower case

  std::string text() const { return local + "@" + domain; }
};

// Nothing and a fault, if it is none.
std::optional<Parts> parts_of(const std::string& address, const auto& fault) {
  const auto at = address.rfind('@');
  const auto domain = at == address.npos ? std::nullopt : base::ascii_domain(std::string_view(address).substr(at + 1));
  const std::string local = base::to_lower(address.substr(0, at));
  const std::string problem = !domain ? "it has no domain" : hostname_fault(*domain);
  if (!problem.empty()) fault(fmt::format("'{}' is no address: {}{}", address, domain ? "its domain " : "", problem));
  else if (const auto wrong = local_part_fault(local); !wrong.empty()) fault(fmt::format("'{}' is no address: it {}", address, wrong));
  else return Parts{local, *domain};
  return std::nullopt;
}

std::size_t extension(const std::string& local, const std::string& delimiter) {
  return delimiter.empty() ? local.npos : local.find(delimiter, 1);
}

// Each domain that goes by MX has servers of its own.
bool down_together(const Config& config, const Domain& one, const Domain* other) {
  if (other == nullptr || one.destination != other->destination) return false;
  const auto* destination = config.find_destination(one.destination);
  return &one == other || destination == nullptr || !destination->mx;
}

std::string why_not(const Config& config, const Parts& of, const Parts& to) {
  const auto* domain = config.find_domain(of.domain);
  if (domain == nullptr) return fmt::format("'{}' is in no domain of ours", of.text());
  if (const auto at = extension(of.local, config.recipient_delimiter); at != of.local.npos) {
    return fmt::format("'{}' has an extension; with recipient_delimiter \"{}\" write {}@{}", of.text(), config.recipient_delimiter,
                       of.local.substr(0, at), of.domain);
  }
  if (!down_together(config, *domain, config.find_domain(to.domain))) return {};
  return fmt::format("'{}' goes down together with '{}': a copy must go to another destination", to.text(), of.text());
}

// A copy is as its original is, which may go without SMTPUTF8: its recipient must, too.
std::string unsendable(const Parts& to) {
  const bool ascii = std::ranges::all_of(to.local, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return ascii ? "" : fmt::format("'{}' takes messages with SMTPUTF8 only: the copy of another could not go there", to.text());
}

}  // namespace

void finish_copies(Draft& draft) {
  Config& config = draft.config;
  const auto fault = [&](const std::string& text) { draft.faults.error(draft.places["while_down.copy"], "while_down.copy: " + text); };
  std::map<std::string, std::string, std::less<>> keyed;
  std::vector<std::string> targets;
  for (const auto& [written, target] : config.copies) {
    const auto of = parts_of(written, fault), to = parts_of(target, fault);
    if (!of || !to) continue;
    if (const auto wrong = why_not(config, *of, *to); !wrong.empty()) fault(wrong);
    if (const auto wrong = unsendable(*to); !wrong.empty()) fault(wrong);
    if (!keyed.emplace(of->text(), target.substr(0, target.rfind('@') + 1) + to->domain).second) fault(fmt::format("'{}' is there twice", written));
    targets.push_back(to->local.substr(0, extension(to->local, config.recipient_delimiter)) + "@" + to->domain);
  }
  for (const auto& target : targets) {
    if (keyed.contains(target)) fault(fmt::format("'{}' gets copies and is copied himself: there are no copies of copies", target));
  }
  config.copies = std::move(keyed);
}

}  // namespace holdfast::config
