// The answers of the REST interface, one a route (routes.cc). Each runs on a thread of the desk and may block there; what
// it says of the gateway is what gatewayctl says, made by the same code (common/admin).
#pragma once

#include <string>

#include "webd/call.h"

namespace holdfast::webd {

Response answer_status(Call& call);
Response answer_system(Call& call);
Response restart(Call& call);
Response list_queue(Call& call);
Response queue_ages(Call& call);
Response show_message(Call& call);
Response message_headers(Call& call);
Response message_content(Call& call);
Response do_retry(Call& call);
Response do_hold(Call& call);
Response do_release(Call& call);
Response do_thaw(Call& call);
Response do_extend(Call& call);
Response do_bounce(Call& call);
Response do_delete(Call& call);
Response do_reroute(Call& call);
Response list_destinations(Call& call);
Response show_destination(Call& call);
Response destination_history(Call& call);
Response probe_destination(Call& call);
Response pause_destination(Call& call);
Response resume_destination(Call& call);
Response force_destination(Call& call);
Response test_destination(Call& call);
Response list_domains(Call& call);
Response show_domain(Call& call);
Response list_recipients(Call& call);
Response refused_recipients(Call& call);
Response check_recipients(Call& call);
Response add_recipients(Call& call);
Response deny_recipients(Call& call);
Response remove_recipients(Call& call);
Response flush_recipients(Call& call);
Response trace(Call& call);
Response show_filters(Call& call);
Response bypass_filters(Call& call);
Response test_filters(Call& call);
Response show_quarantine(Call& call);
Response release_quarantine(Call& call);
Response delete_quarantine(Call& call);
Response list_alerts(Call& call);
Response ack_alert(Call& call);
Response silence_alert(Call& call);
Response unsilence_alert(Call& call);
Response test_alerts(Call& call);
Response show_config(Call& call);
Response diff_config(Call& call);
Response check_config(Call& call);
Response reload_config(Call& call);
Response list_audit(Call& call);
Response answer_history(Call& call);
Response answer_report(Call& call);
Response list_users(Call& call);
Response create_user(Call& call);
Response change_user(Call& call);
Response delete_user(Call& call);
Response list_tokens(Call& call);
Response create_token(Call& call);
Response delete_token(Call& call);
Response change_own_password(Call& call);

// The status with `mode` and `sentence`: GET status, and what the live stream sends.
std::string status_object(admin::Gateway& gateway);

}  // namespace holdfast::webd
