// What is known of destinations and recipients at this moment: the configuration and the directory
// together, as one transaction's questions need it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/time.h"
#include "common/config/config.h"
#include "common/mail/address.h"
#include "common/storage/directory.h"
#include "common/upstream/server_book.h"

namespace holdfast::smtpd {

struct RecipientView {
  std::string key;
  storage::Standing standing = storage::Standing::kUnknown;
  bool learnt = false;    // known because the destination accepted it, not by configuration
  bool keepable = true;   // may be kept once the destination has accepted it: not a catch-all's word
  storage::HandWord filtering = storage::HandWord::kAuto;  // the admin's word about its domain, if it still holds
  bool refresh = false;   // an acceptance is worth telling the prober (not within the last hour)
};

class AddressBook {
 public:
  explicit AddressBook(config::ConfigPtr config);
  void reload(config::ConfigPtr config) { config_ = std::move(config); }

  const config::Config& config() const { return *config_; }
  config::ConfigPtr config_ptr() const { return config_; }
  // What to act on; up while nothing is known.
  mail::DestinationState state(const config::Destination& destination, base::Wall now);
  // False: the directory calls this server down.
  bool usable(std::string_view destination, const upstream::ServerName& server, base::Wall now);
  // What it offered when it was last seen, in whatever state it is: nothing may be accepted that it would refuse
  // later (design.md section 5). Nothing: it never was.
  std::optional<mail::Capabilities> last_seen(const config::Destination& destination);
  RecipientView recipient(const mail::Address& address, const config::Domain& domain, base::Wall now);

 private:
  config::ConfigPtr config_;
  storage::DirectoryReader directory_;
};

}  // namespace holdfast::smtpd
