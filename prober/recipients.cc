#include "prober/recipients.h"

#include <memory>

#include "common/base/time.h"
#include "common/mail/address.h"

namespace holdfast::prober {
namespace {

using Edit = std::function<base::Status(storage::Directory&, storage::WriteTxn&, std::size_t& changed)>;

void submit_counted(Store& store, Edit edit, Changed done) {
  const auto changed = std::make_shared<std::size_t>(0);
  store.submit(
      [edit = std::move(edit), changed](storage::Directory& directory, storage::WriteTxn& txn) {
        *changed = 0;
        return edit(directory, txn, *changed);
      },
      [changed, done = std::move(done)] { done(*changed); }, true);
}

}  // namespace

std::string_view domain_of(std::string_view key) { return key.substr(key.rfind('@') + 1); }

storage::KeepRule keep_rule(const config::Config& config) {
  return {.keep_ms = std::chrono::duration_cast<base::Millis>(config.recipient_cache.keep).count(),
          .count_downtime = config.recipient_cache.count_downtime};
}

base::Result<std::vector<std::string>> recipient_keys(const std::vector<std::string>& addresses,
                                                      const config::Config& config, Domains domains) {
  std::vector<std::string> keys;
  for (const std::string& text : addresses) {
    const auto address = mail::parse_address(text, true);
    if (!address) return base::fail(base::Kind::kUsage, "'" + text + "' is not an address");
    if (domains == Domains::kOurs && config.find_domain(address->domain) == nullptr) {
      return base::fail(base::Kind::kNotFound, "'" + address->domain + "' is not one of our domains");
    }
    keys.push_back(mail::recipient_key(*address, config.recipient_delimiter));
    if (keys.back().size() > storage::kMaxRecipientKey)
      return base::fail(base::Kind::kUsage, "'" + text + "' is too long");
  }
  return keys;
}

void set_recipients(Store& store, std::vector<std::string> keys, storage::RecipientSource source, Changed done) {
  submit_counted(
      store,
      [keys = std::move(keys), source, now = base::to_millis(base::wall_now())](
          storage::Directory& directory, storage::WriteTxn& txn, std::size_t& changed) -> base::Status {
        for (const std::string& key : keys) {
          const auto row = directory.recipient(txn, key);
          if (row && row->source == source) continue;
          const storage::RecipientRow next{.source = source, .verified_ms = now, .learnt_ms = now};
          // Only learnt ones are bounded, and this is none.
          if (auto put = directory.put_recipient(txn, key, next, UINT64_MAX); !put) return put;
          ++changed;
        }
        return {};
      },
      std::move(done));
}

void remove_recipients(Store& store, std::vector<std::string> keys, Changed done) {
  submit_counted(
      store,
      [keys = std::move(keys)](storage::Directory& directory, storage::WriteTxn& txn,
                               std::size_t& changed) -> base::Status {
        for (const std::string& key : keys) {
          if (!directory.recipient(txn, key)) continue;
          if (auto erased = directory.erase_recipient(txn, key); !erased) return erased;
          ++changed;
        }
        return {};
      },
      std::move(done));
}

void flush_recipients(Store& store, std::string domain, Changed done) {
  submit_counted(
      store,
      [domain = std::move(domain)](storage::Directory& directory, storage::WriteTxn& txn,
                                   std::size_t& changed) -> base::Status {
        std::vector<std::string> keys;
        directory.each_recipient(txn, "", [&](std::string_view key, const storage::RecipientRow& row) {
          const bool ours = domain.empty() || domain_of(key) == domain;
          if (ours && row.source == storage::RecipientSource::kLearnt) keys.emplace_back(key);
          return true;
        });
        for (const std::string& key : keys) {
          if (auto erased = directory.erase_recipient(txn, key); !erased) return erased;
        }
        changed = keys.size();
        return {};
      },
      std::move(done));
}

}  // namespace holdfast::prober
