function login(email, password, callback) {
  const user = { user_id: email.toLowerCase() };
  callback(null, user);
}
