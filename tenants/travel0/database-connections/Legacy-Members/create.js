// The club takes no new members: they sign up with a ##BRAND## account.
function create(user, callback) {
  callback(new ValidationError("signup_closed", "New members sign up with a ##BRAND## account."));
}
