#include "master/tallies.h"

namespace holdfast::master {

base::Result<int> Tallies::page_for(const std::string& daemon, std::uint32_t worker) {
  const auto known = slots_.find({daemon, worker});
  if (known != slots_.end()) return known->second.fd.get();
  auto fd = stats::Page::make();
  if (!fd) return std::unexpected(fd.error());
  auto page = stats::Page::open(fd->get());
  if (!page) return std::unexpected(page.error());
  const int out = fd->get();
  slots_.emplace(std::pair(daemon, worker), Slot{std::move(*fd), std::move(*page)});
  return out;
}

void Tallies::ended(const std::string& daemon, std::uint32_t worker) {
  const auto slot = slots_.find({daemon, worker});
  if (slot == slots_.end()) return;
  before_[daemon] += slot->second.page.read();
  slot->second.page.clear();
}

stats::Sums Tallies::sums() const {
  stats::Sums out = before_;
  for (const auto& [whose, slot] : slots_) out[whose.first] += slot.page.read();
  return out;
}

}  // namespace holdfast::master
