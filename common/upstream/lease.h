// What an acquire() of the pool gives: the use of one connection, until it is given back.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/mail/stage.h"
#include "common/upstream/connection.h"
#include "common/upstream/server_book.h"

namespace holdfast::upstream {

// The use of one connection. It must not outlive the Loop; it may outlive the Pool.
class Link;
class Lease {
 public:
  explicit Lease(std::shared_ptr<Link> link);  // made by the pool
  Lease() = default;                           // empty
  Lease(Lease&&) noexcept = default;
  Lease& operator=(Lease&& other) noexcept;
  ~Lease();  // as release()

  // Ready and without a transaction when the lease is given. Set the handler with set_handler() of the
  // lease, never of the connection, and first of all: an end of the connection before that is told to it
  // on the loop's next turn.
  Connection& connection();
  void set_handler(ConnectionHandler& handler);
  // A transaction went over this connection before: it may have died unseen. One that fails before MAIL
  // is answered is replaced once (design.md section 3): acquire({.fresh = true}).
  bool reused() const;
  const ServerName& server() const;
  std::string relay() const;  // "10.0.0.5[10.0.0.5]:25": for logs
  // Tells the pool's reporter what only the caller can judge, such as a 4xx to MAIL.
  void report(bool ok, mail::Stage stage, int code, std::string_view reason);
  // Back to the pool: kept open if nothing speaks against it, after a RSET if a transaction is under way;
  // cut if an answer to the dot is outstanding. The lease is empty afterwards. Safe in any callback.
  void release();
  // Cut, whatever state it is in.
  void drop();
  explicit operator bool() const { return link_ != nullptr; }

 private:
  std::shared_ptr<Link> link_;
};

}  // namespace holdfast::upstream
