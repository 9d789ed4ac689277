// The admin's hand on the recipients in the directory: rcpt.add, deny, remove, import, flush.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "common/config/config.h"
#include "common/storage/directory.h"
#include "prober/store.h"

namespace holdfast::prober {

std::string_view domain_of(std::string_view key);  // behind the last '@'
storage::KeepRule keep_rule(const config::Config& config);

// Addresses as the admin writes them to directory keys: kUsage for one that is none, kNotFound for one
// whose domain is not ours (what is to be removed may be of one that we no longer have); the first fault is
// told, and nothing is to be done then.
enum class Domains { kOurs, kAny };
base::Result<std::vector<std::string>> recipient_keys(const std::vector<std::string>& addresses,
                                                      const config::Config& config, Domains domains);

// Each `done` gets the number of rows that were changed, once they are committed.
using Changed = std::function<void(std::size_t)>;
void set_recipients(Store& store, std::vector<std::string> keys, storage::RecipientSource source, Changed done);
void remove_recipients(Store& store, std::vector<std::string> keys, Changed done);
// All that was learnt, of one domain or (empty) of all.
void flush_recipients(Store& store, std::string domain, Changed done);

}  // namespace holdfast::prober
