function get_user(email, callback) { callback(null); }
