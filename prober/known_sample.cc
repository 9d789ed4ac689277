#include "prober/known_sample.h"

#include <algorithm>
#include <optional>

namespace holdfast::prober {
namespace {

constexpr std::size_t kMostDomains = 50;
constexpr std::size_t kMostRows = 200;  // looked at in a domain

bool is_known(const storage::RecipientRow& row, const SampleWish& wish,
              const std::optional<storage::DestinationRow>& destination,
              const std::optional<storage::DomainRow>& domain) {
  return row.source == storage::RecipientSource::kLearnt &&
         storage::standing(row, wish.destination, destination ? &*destination : nullptr, domain ? &*domain : nullptr,
                           wish.now_ms, wish.keep) == storage::Standing::kKnown;
}

// All candidates of a domain, up to the bound; false when there are more.
bool collect(const storage::Directory& directory, const storage::Txn& txn, const SampleWish& wish,
             const std::string& name, std::vector<std::string>& found) {
  const auto destination = directory.destination(txn, wish.destination);
  const auto domain = directory.domain(txn, name);
  std::size_t looked = 0;
  bool all = true;
  directory.each_recipient_of(txn, name, [&](std::string_view key, const storage::RecipientRow& row) {
    if (row.source != storage::RecipientSource::kLearnt) return false;  // learnt ones come first
    if (++looked > kMostRows) return all = false;
    if (is_known(row, wish, destination, domain) && std::ranges::find(wish.leave_out, key) == wish.leave_out.end()) {
      found.emplace_back(key);
    }
    return true;
  });
  return all;
}

}  // namespace

Sample sample_known(const storage::Directory& directory, const storage::Txn& txn, const SampleWish& wish,
                    std::uint64_t random) {
  std::vector<std::string> found;
  bool all = wish.domains.size() <= kMostDomains;
  const std::size_t domains = std::min(wish.domains.size(), kMostDomains);
  for (std::size_t i = 0; i < domains; ++i) {
    all = collect(directory, txn, wish, wish.domains[(i + random) % wish.domains.size()], found) && all;
  }
  Sample sample{.keys = {}, .complete = all && found.size() <= wish.most};
  const auto take = [&](const std::string& key) {
    if (sample.keys.size() < wish.most && std::ranges::find(sample.keys, key) == sample.keys.end()) {
      sample.keys.push_back(key);
    }
  };
  for (const std::string& key : wish.recent) {
    const auto row = directory.recipient(txn, key);
    const auto destination = directory.destination(txn, wish.destination);
    const auto domain = directory.domain(txn, key.substr(key.rfind('@') + 1));
    if (sample.keys.size() + 1 >= wish.most) break;  // one at least by chance
    if (row && is_known(*row, wish, destination, domain) &&
        std::ranges::find(wish.leave_out, key) == wish.leave_out.end()) {
      take(key);
    }
  }
  for (std::size_t i = 0; i < found.size() && sample.keys.size() < wish.most; ++i)
    take(found[(i + random) % found.size()]);
  return sample;
}

}  // namespace holdfast::prober
