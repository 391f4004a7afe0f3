function rule(user, context, callback) { callback(null, user, context); }
