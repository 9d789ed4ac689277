// One filter is told one message's content: DATA, the header field by field, the body in pieces, the end.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "common/filtering/filter_link.h"
#include "common/milter/content_feed.h"
#include "common/milter/macros.h"
#include "common/storage/content.h"

namespace holdfast::filtering {

class Telling {
 public:
  // A verdict that ends the message for this filter: of the end of the message, or an earlier one that is not "go on".
  // Called once; inside run() too. May destroy the Telling.
  using Done = std::function<void(const FilterLink::Said&)>;

  // `content` without our own Received field, in wire format; it, `link` and `macros` outlive this.
  Telling(FilterLink& link, const storage::Content& content, const milter::Macros& macros);

  void run(Done done);
  // How many bytes of the content its header and the empty line behind it are. Valid when the end was told.
  std::uint64_t body_begins() const { return feed_.body_begins(); }

 private:
  bool next_part();
  bool tell(milter::FilterSession& filter) const;
  void pump();
  bool take(const FilterLink::Said& said);

  FilterLink& link_;
  storage::ContentReader reader_;
  const milter::Macros& macros_;
  milter::ContentFeed feed_;
  std::optional<milter::ContentPart> part_;  // nothing: DATA itself
  bool begun_ = false;
  Done done_;
};

}  // namespace holdfast::filtering
