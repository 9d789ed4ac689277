#include "common/admin/allowed_senders.h"

#include <algorithm>
#include <cerrno>
#include <set>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "common/policy/entry.h"

namespace holdfast::admin {
namespace {

constexpr const char* kHead =
    "# Senders that an admin has allowed from the quarantine, an address a line. Holdfast adds to this file;\n"
    "# a line may be taken out by hand, then: gatewayctl config reload\n";

std::string entry_of(std::string_view line) { return base::to_lower(base::trim(line.substr(0, line.find(" #")))); }

std::set<std::string> entries_of(std::string_view text) {
  std::set<std::string> out;
  for (const auto line : base::split(text, '\n')) {
    if (!line.starts_with('#')) out.insert(entry_of(line));
  }
  return out;
}

}  // namespace

base::Status allowable(const std::string& sender) {
  const auto fails = [&] { return base::fail(base::Kind::kData, fmt::format("'{}' cannot be an entry of the allow list: allow its server instead", base::printable(sender))); };
  if (sender.empty()) return base::fail(base::Kind::kData, "the null sender is everybody's: it cannot be allowed");
  const bool plain = std::ranges::none_of(sender, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; });
  if (!plain || sender.starts_with('#')) return fails();
  const auto entry = policy::parse_entry(policy::ListKind::kSender, sender);
  if (!entry || entry->form != policy::Entry::Form::kExact || entry->key.empty()) return fails();
  return {};
}

base::Result<std::size_t> allow_senders(const std::string& file, const std::vector<std::string>& senders, const std::string& by,
                                        const std::string& date) {
  for (const auto& sender : senders) {
    if (auto good = allowable(sender); !good) return std::unexpected(good.error());
  }
  const base::UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!fd || ::flock(fd.get(), LOCK_EX) != 0) return base::fail_errno(file, errno);
  const auto text = base::read_file(file);
  if (!text) return std::unexpected(text.error());
  auto there = entries_of(*text);
  std::string lines;
  std::size_t added = 0;
  for (const auto& sender : senders) {
    if (!there.insert(base::to_lower(sender)).second) continue;
    lines += fmt::format("{} # by {}, {}\n", sender, base::printable(by), date);
    ++added;
  }
  if (added == 0) return added;
  if (text->empty()) lines.insert(0, kHead);
  else if (!text->ends_with('\n')) lines.insert(0, "\n");
  if (auto written = base::write_all(fd.get(), lines); !written) return std::unexpected(written.error());
  return added;
}

}  // namespace holdfast::admin
