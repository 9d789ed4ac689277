#include "common/admin/rcpt_look.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/base/text.h"
#include "common/mail/address.h"

namespace holdfast::admin {
namespace {

using storage::RecipientRow;

constexpr std::size_t kPage = 1000;  // rows a view, so that no read transaction lasts

std::int64_t now_ms() { return base::to_millis(base::wall_now()); }

storage::KeepRule keep_rule(const config::Config& config) {
  return {std::chrono::duration_cast<base::Millis>(config.recipient_cache.keep).count(),
          config.recipient_cache.count_downtime};
}

RecipientView view_of(std::string_view key, const RecipientRow& row, const storage::DestinationRow* destination,
                      const storage::KeepRule& rule) {
  return {std::string(key), std::string(storage::to_text(row.source)), row.destination, row.verified_ms,
          storage::expires_ms(row, destination, now_ms(), rule)};
}

}  // namespace

bool RecipientFilter::takes(std::string_view address, std::string_view its_source) const {
  if (!source.empty() && source != its_source) return false;
  if (!part.empty() && base::to_lower(address).find(base::to_lower(part)) == address.npos) return false;
  const auto at = address.rfind('@');
  return domain.empty() || (at != address.npos && base::iequals(address.substr(at + 1), domain));
}

void each_configured(const config::Config& config, const RecipientFilter& wanted, const RecipientVisit& visit) {
  for (const auto& [name, domain] : config.domains) {
    const auto tell = [&](const std::string& address) {
      if (wanted.takes(address, "local")) visit({.address = address, .source = "local", .destination = domain.destination, .configured = true});
    };
    const std::string postmaster = "postmaster@" + name;
    bool told = false;
    for (const auto& address : domain.local_recipients) {
      told = told || address == postmaster;
      tell(address == "*" ? "*@" + name : address);
    }
    if (!told) tell(postmaster);
  }
}

base::Result<RecipientPage> stored_recipients(Gateway& gateway, const RecipientFilter& wanted,
                                              const std::string& after) {
  const auto rule = keep_rule(gateway.config());
  RecipientPage out;
  const auto read = gateway.directory().read([&](const storage::Directory& directory, const storage::Txn& txn) {
    std::size_t left = kPage;
    std::string last;
    directory.each_recipient(txn, after, [&](std::string_view key, const RecipientRow& row) {
      if (left-- == 0) return out.next = last, false;
      last = key;
      if (!wanted.takes(key, storage::to_text(row.source))) return true;
      const auto destination = directory.destination(txn, row.destination);
      auto view = view_of(key, row, destination ? &*destination : nullptr, rule);
      if (view.expires_ms == 0 || view.expires_ms > now_ms()) out.recipients.push_back(std::move(view));
      return true;
    });
  });
  if (!read && read.error().kind != base::Kind::kNotFound) return std::unexpected(read.error());
  return out;
}

base::Status each_stored(Gateway& gateway, const RecipientFilter& wanted, const RecipientVisit& visit) {
  std::string after;
  do {
    auto page = stored_recipients(gateway, wanted, after);
    if (!page) return std::unexpected(page.error());
    std::ranges::for_each(page->recipients, visit);
    after = std::move(page->next);
  } while (!after.empty());
  return {};
}

base::Result<Checked> check_recipient(Gateway& gateway, const std::string& text) {
  const config::Config& config = gateway.config();
  const auto address = mail::parse_address(text, true);
  if (!address) return base::fail(base::Kind::kUsage, fmt::format("'{}' is not an address", base::printable(text)));
  const auto* domain = config.find_domain(address->domain);
  if (domain == nullptr) return base::fail(base::Kind::kNotFound, fmt::format("'{}' is in no domain of ours", base::printable(text)));
  const std::string key = mail::recipient_key(*address, config.recipient_delimiter);
  Checked out{{key, "", domain->destination, 0, 0}, "unknown"};
  const auto rule = keep_rule(config);
  if (const auto row = gateway.directory().recipient(key)) {
    const auto destination = gateway.directory().destination(domain->destination);
    const auto domain_row = gateway.directory().domain(domain->name);
    const auto standing = storage::standing(*row, domain->destination, destination ? &*destination : nullptr,
                                            domain_row ? &*domain_row : nullptr, now_ms(), rule);
    if (standing == storage::Standing::kDenied) out.standing = "denied";
    if (standing == storage::Standing::kKnown) out.standing = "known";
    if (standing != storage::Standing::kUnknown)
      out.view = view_of(key, *row, destination ? &*destination : nullptr, rule);
  }
  if (out.standing != "denied" && config.is_local_recipient(key)) {
    out.standing = "known";
    out.view = {key, "local", domain->destination, out.view.verified_ms, 0};
  }
  return out;
}

}  // namespace holdfast::admin
